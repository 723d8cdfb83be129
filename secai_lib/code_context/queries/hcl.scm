(config_file (body (block) @enclosing.block @block))
(block (body (attribute) @statement))
(block (body (block) @statement))
(config_file (body (attribute) @statement))

(heredoc_template) @string
(comment) @string
