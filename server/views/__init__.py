"""What pages and the API say, worked out from rows."""
