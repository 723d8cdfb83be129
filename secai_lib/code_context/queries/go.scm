(function_declaration name: (identifier) @name) @function.function
(method_declaration name: (field_identifier) @name) @function.method
(short_var_declaration
  left: (expression_list . (identifier) @name)
  right: (expression_list . (func_literal))) @function.function
(var_spec name: (identifier) @name value: (expression_list . (func_literal))) @function.function

(type_declaration (type_spec name: (type_identifier) @name)) @enclosing.class

(import_spec) @import

(source_file (_) @statement)
(block (statement_list (_) @statement))

(raw_string_literal) @string
(comment) @string
