; A stage ends where the next one begins, so only its first instruction is captured.
(from_instruction (image_spec) @stage.name !as) @stage
(from_instruction as: (image_alias) @stage.name) @stage
(source_file (_) @statement)
