"""Small folders, tables and archives that resemble what people have, each with how it should be understood."""
