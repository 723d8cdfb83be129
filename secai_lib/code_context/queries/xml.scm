(element) @statement

(CharData) @string
(AttValue) @string
(CDSect) @string
(Comment) @string
