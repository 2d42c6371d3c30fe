"""What must be true of every entry of the table, of every mode and in every transform: of no one module."""
