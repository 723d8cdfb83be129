(function_definition name: (identifier) @name) @function.function
(decorated_definition
  definition: (function_definition name: (identifier) @name)) @function.function
(assignment left: (identifier) @name right: (lambda)) @function.function

(class_definition name: (identifier) @name) @enclosing.class
(decorated_definition definition: (class_definition name: (identifier) @name)) @enclosing.class

(import_statement) @import
(import_from_statement) @import
(future_import_statement) @import

(module (_) @statement)
(block (_) @statement)

(string) @string
