(pair) @statement
