; Callbacks without a name are anonymous on purpose: they belong to the named function around them.
(function_declaration name: (identifier) @name) @function.function
(generator_function_declaration name: (identifier) @name) @function.function
(export_statement declaration: (function_declaration name: (identifier) @name)) @function.function
(function_expression name: (identifier) @name) @function.function
((export_statement value: [(arrow_function) (function_expression)]) @function.function
  (#set! name "default"))
(method_definition name: (_) @name) @function.method
(variable_declarator
  name: (identifier) @name
  value: [(arrow_function) (function_expression) (generator_function)]) @function.function
(pair key: (_) @name value: [(arrow_function) (function_expression)]) @function.function
(assignment_expression
  left: [(identifier) (member_expression)] @name
  right: [(arrow_function) (function_expression)]) @function.function
((class_static_block) @function.initializer (#set! name "static"))

(class_declaration name: (_) @name) @enclosing.class
(export_statement declaration: (class_declaration name: (_) @name)) @enclosing.class
(class !name) @enclosing.class
(class name: (_) @name) @enclosing.class
(variable_declarator name: (identifier) @name value: (class)) @enclosing.class
(variable_declarator name: (identifier) @name value: (object)) @enclosing.object

(import_statement) @import
((lexical_declaration
  (variable_declarator value: (call_expression function: (identifier) @_require))) @import
  (#eq? @_require "require"))

(program (_) @statement)
(statement_block (_) @statement)
(switch_case (_) @statement)

(string) @string
(template_string) @string
(comment) @string
