"""Names made to be taken for something else by whoever shows them."""

NAMES = (
    "a\x1b[31mred",
    "a\x07\x08\x00b",
    "a\u202egnp.weight",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]></failure><failure>",
    "<!-- a --> &amp; &#x3c;b>",
    "::error file=x::gone",
    "x\n::error::gone",
    "x\r\n##[error]gone",
    "##[add-mask]gone",
    "%0A::error::gone%25",
    "[click](https://example.com)",
    "![](https://example.com/x.png)",
    "{0} {1}",
    "@someone #1 https://example.com",
    "`code` **bold** | cell |",
    "$x^2$ \\(y\\)",
    "x\ufffe\uffff",
    "x\udcff",
    "\u2028line\u2029",
    "x\n\n# heading\n\n- item",
    "[bold red]markup[/]",
    "x</pre></code></div><h1>gone</h1>",
)


def inventory_of_names():
    """An inventory in whose model, modules and parameters all of these stand."""
    from support.builders import inventory

    parameters = [f"{name.replace('.', '_')}.weight" for name in NAMES]
    return inventory(*parameters, path="<b>m</b>\x1b.pt", kind="pickled model", key=NAMES[8])


def report_of_names():
    """A report full of them: an error on each name, and rules of a hostile file."""
    import grouper

    lines = ["model.24.* -> head lr=1"]
    for name in NAMES:
        word = "".join(c if c.isprintable() and c not in '"\\' else "?" for c in name)
        lines.append(f'"{word}" -> "{word}" lr=0.1 decay={len(word)}')
    rules = grouper.parse("\n".join(lines), "a,b:c%0A::error::<i>\n##[error]x](y).rules")
    return grouper.check(inventory_of_names(), rules)


def groups_of_names():
    """A report without errors, whose groups, tensors and option values are called so."""
    import grouper

    rules = 'tag note\noptimizer SGD lr=1\n*.weight -> "<b>&amp;</b>@x" note="</td>$x$"\n'
    rules += 'else -> "##[error]](y)" note="::error::x"\n'
    return grouper.check(inventory_of_names(), grouper.parse(rules, "<i>.rules"))
