; Lambdas are anonymous on purpose: what they hold belongs to the named function around them.
(function_declaration name: (identifier) @name) @function.function
(property_declaration (variable_declaration (identifier) @name) (anonymous_function)) @function.function
(property_declaration (variable_declaration (identifier) @name) (getter) @function.getter)
(property_declaration (variable_declaration (identifier) @name) (setter) @function.setter)
((secondary_constructor) @function.constructor (#set! name "constructor"))
((anonymous_initializer) @function.initializer (#set! name "init"))

(class_declaration name: (identifier) @name) @enclosing.class
(object_declaration name: (identifier) @name) @enclosing.object
(companion_object name: (identifier) @name) @enclosing.object
((companion_object !name) @enclosing.object (#set! name "Companion"))
(object_literal) @enclosing.object

(import) @import

(source_file (_) @statement)
(block (_) @statement)
(lambda_literal (_) @statement)
(when_entry) @statement
(class_body (property_declaration) @statement)

(string_literal) @string
(multiline_string_literal) @string
(block_comment) @string
