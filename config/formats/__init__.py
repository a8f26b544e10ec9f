"""How the operators' pages write times; Django looks here by the name of the language."""
