"""From names to classes, parts of the split and groups: folders, tables and the names of files."""
