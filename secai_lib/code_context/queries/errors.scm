; Added to the query of every language.
(ERROR) @error
(MISSING) @error
