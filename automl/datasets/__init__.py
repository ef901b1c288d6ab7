"""The verdict on a data set: classes, edits, findings and the split. No SQL, no files."""
