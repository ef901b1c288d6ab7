"""Archives that anybody may have made: nothing in them is believed unread, and no name becomes a path."""
