(public_field_definition
  name: (_) @name
  value: [(arrow_function) (function_expression)]) @function.method
(class_body (public_field_definition) @statement)
(abstract_class_declaration name: (_) @name) @enclosing.class
(interface_declaration name: (_) @name) @enclosing.interface
(enum_declaration name: (_) @name) @enclosing.enum
(internal_module name: (_) @name) @enclosing.namespace
