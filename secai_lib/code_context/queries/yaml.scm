; A workflow's job plays the part of the function, a step or a container the part of the block.
(document (block_node (block_mapping (block_mapping_pair
  key: (flow_node) @_jobs
  value: (block_node (block_mapping (block_mapping_pair
    key: (flow_node) @name) @function.job @block))
  (#eq? @_jobs "jobs")))))
(document (block_node (block_mapping (block_mapping_pair
  key: (flow_node) @_services
  value: (block_node (block_mapping (block_mapping_pair
    key: (flow_node) @name) @enclosing.service @block))
  (#eq? @_services "services")))))
(document (block_node (block_mapping
  (block_mapping_pair key: (flow_node) @_kind value: (flow_node) @name)
  (#eq? @_kind "kind")))) @enclosing.resource

((block_mapping_pair
  key: (flow_node) @_list
  value: (block_node (block_sequence (block_sequence_item) @block)))
  (#any-of? @_list "steps" "containers" "initContainers" "ephemeralContainers"))
(document (block_node (block_mapping (block_mapping_pair key: (flow_node) @_part) @block
  (#any-of? @_part "on" "permissions" "concurrency" "env" "defaults"))))

(block_sequence_item (block_node (block_mapping))) @statement
(block_mapping_pair) @statement

(block_scalar) @string
(double_quote_scalar) @string
(single_quote_scalar) @string
(plain_scalar) @string
