(method_declaration name: (identifier) @name) @function.method
(constructor_declaration name: (identifier) @name) @function.constructor
(compact_constructor_declaration name: (identifier) @name) @function.constructor
((static_initializer) @function.initializer (#set! name "static"))

(class_declaration name: (identifier) @name) @enclosing.class
(interface_declaration name: (identifier) @name) @enclosing.interface
(annotation_type_declaration name: (identifier) @name) @enclosing.interface
(enum_declaration name: (identifier) @name) @enclosing.enum
(record_declaration name: (identifier) @name) @enclosing.record
(object_creation_expression (class_body)) @enclosing.object

(import_declaration) @import

(block (_) @statement)
(constructor_body (_) @statement)
(switch_block_statement_group (_) @statement)
(class_body (field_declaration) @statement)

(string_literal) @string
(block_comment) @string
