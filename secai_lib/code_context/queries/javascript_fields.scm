(field_definition
  property: (_) @name
  value: [(arrow_function) (function_expression)]) @function.method
(class_body (field_definition) @statement)
