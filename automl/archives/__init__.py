"""Archives from unknown hands: nothing in them is believed unread, and no name becomes a path."""
