"""What the page of `grouper view` contains as data."""

import json

from grouper.reports.page.page import embedded


def test_what_is_embedded_is_the_same_and_ends_no_element():
    value = {"a": ["</script>", "<!--", "\u2028", "&amp;", "\ud800"]}
    assert json.loads(embedded(value)) == value
    assert not {"<", ">", "&"} & set(embedded(value))
