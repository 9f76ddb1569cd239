"""The dataset graph: doubles, what is missing, circles."""

SOURCE = 'qn.source("clicks", qn.files("*.jsonl"), schema="id BIGINT")\n'


def _tables(*pairs):
    return SOURCE + "".join(f'@qn.table\ndef {name}():\n    return "{sql}"\n' for name, sql in pairs)


def test_a_name_twice(refusal):
    assert refusal(_tables(("clean", "FROM clicks"), ("Clean", "FROM clicks"))) == (
        "QN-1202  Dataset 'Clean' is declared twice.\n"
        "  at flow.py:6\n"
        "  and at flow.py:3, as dataset 'clean'\n"
        "  SQL does not tell capital letters from small ones.\n"
        "  Give one of them another name.\n"
        "  Nothing was started."
    )


def test_a_source_and_a_dataset_of_one_name(refusal):
    assert refusal(_tables(("clicks", "SELECT 1 AS x"))) == (
        "QN-1202  The name 'clicks' is taken twice.\n"
        "  at flow.py:3\n"
        "  and at flow.py:2, as source 'clicks'\n"
        "  Give one of them another name.\n"
        "  Nothing was started."
    )


def test_a_table_that_is_not_there(refusal):
    assert refusal(_tables(("clean", "SELECT * FROM click"))) == (
        "QN-1201  'clean' reads 'click', which is no source, reference or dataset of this pipeline.\n"
        "  at flow.py:3\n"
        "  There are: clicks, clean\n"
        "  Did you mean 'clicks'?\n"
        "  Nothing was started."
    )


def test_a_circle_is_drawn(refusal):
    text = _tables(
        ("first", "FROM clicks"),
        ("a", "SELECT * FROM c JOIN first USING (id)"),
        ("b", "FROM a"),
        ("c", "FROM b"),
    )
    assert refusal(text) == (
        "QN-1204  Datasets read each other in a circle: b → c → a → b.\n"
        "  at flow.py:12: 'c' reads 'b'\n"
        "  at flow.py:6: 'a' reads 'c'\n"
        "  at flow.py:9: 'b' reads 'a'\n"
        "  Rows flow one way. Take one of these out, or read what comes before it.\n"
        "  Nothing was started."
    )


def test_a_dataset_that_reads_itself(refusal):
    assert refusal(_tables(("a", "FROM A"))) == (
        "QN-1204  Dataset 'a' reads itself: a → a.\n"
        "  at flow.py:3: 'a' reads 'a'\n"
        "  Rows flow one way. Take one of these out, or read what comes before it.\n"
        "  Nothing was started."
    )


def test_a_diamond_is_no_circle(flow):
    pipeline = flow(_tables(("a", "FROM clicks"), ("b", "FROM a"), ("c", "FROM a"), ("d", "FROM b, c")))
    assert [flow.reads for flow in pipeline.flows["d"]] == [["b", "c"]]


def test_a_long_chain_is_no_matter(flow):
    pairs = [("t0", "FROM clicks"), *((f"t{i}", f"FROM t{i - 1}") for i in range(1, 2000))]
    assert len(flow(_tables(*pairs)).datasets) == 2000


def test_a_flow_without_target(refusal):
    text = (
        SOURCE
        + 'qn.create_streaming_table("events")\n@qn.append_flow(target="evnts")\ndef f():\n    return "FROM clicks"'
    )
    assert refusal(text) == (
        "QN-1225  Flow 'f' appends to 'evnts', which is not declared.\n"
        "  at flow.py:4\n"
        "  Did you mean 'events'?\n"
        "  Nothing was started."
    )


def test_a_flow_into_a_view(refusal):
    text = SOURCE + (
        '@qn.materialized_view\ndef v():\n    return "FROM clicks"\n'
        '@qn.append_flow(target="v")\ndef f():\n    return "FROM clicks"'
    )
    assert refusal(text) == (
        "QN-1225  Flow 'f' appends to 'v', which is a materialized view.\n"
        "  at flow.py:6\n"
        "  declared at flow.py:3\n"
        "  Only tables can be appended to.\n"
        "  Nothing was started."
    )


def test_a_table_without_flow(refusal):
    assert refusal(SOURCE + 'qn.create_streaming_table("events")') == (
        "QN-1225  Table 'events' has no flow: nothing would ever be written to it.\n"
        "  at flow.py:3\n"
        '  Add one:  @qn.append_flow(target="events")\n'
        "  Nothing was started."
    )


def test_two_flows_of_one_name(refusal):
    text = SOURCE + (
        '@qn.table\ndef t():\n    return "FROM clicks"\n'
        '@qn.append_flow(target="t", name="t")\ndef f():\n    return "FROM clicks"'
    )
    assert refusal(text) == (
        "QN-1202  Table 't' has two flows called 't'.\n  at flow.py:3\n  and at flow.py:6\n  Nothing was started."
    )


def test_what_is_odd_but_allowed_is_noticed(flow):
    pipeline = flow(SOURCE + '@qn.table\ndef t():\n    return "SELECT 1 AS x"\n')
    assert pipeline.notices == [
        "Source 'clicks' is read by nothing (flow.py:2).",
        "Source 'clicks': no file matches *.jsonl now (flow.py:2).",
    ]
