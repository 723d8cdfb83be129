from secai_lib.rag.text import one_line, plain


def test_what_steers_a_terminal_is_gone_and_lines_stay() -> None:
    assert plain("a\x1b[31m\x00b\u202e\r\n\tc\ud800", 100) == "a [31m b \n\tc"
    plain("\ud800\udfff\x9b" * 10, 100).encode("utf-8")


def test_long_texts_are_cut_and_trimmed() -> None:
    assert plain("  " + "x" * 50_000, 10) == "x" * 10
    assert plain("ab   " + "c", 5) == "ab"
    assert one_line(" a\n\n b\tc ", 100) == "a b c"
