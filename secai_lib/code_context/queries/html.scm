(element) @statement
(script_element) @statement
(style_element) @statement

(text) @string
(raw_text) @string
(attribute_value) @string
(comment) @string
