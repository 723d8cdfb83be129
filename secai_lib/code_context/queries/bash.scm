(function_definition name: (word) @name) @function.function

((command name: (command_name) @_source) @import (#any-of? @_source "source" "."))

(program (_) @statement)
(compound_statement (_) @statement)
(do_group (_) @statement)
(if_statement (_) @statement)

(string) @string
(raw_string) @string
(heredoc_body) @string
