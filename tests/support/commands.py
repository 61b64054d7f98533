"""Commands as a user runs them."""

from grouper.cli.main import main


def run(capsys, *arguments):
    """A command's exit status, its output, and its errors."""
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def written(folder, text):
    """The path of a rules file with the text."""
    path = folder / "made.rules"
    path.write_text(text, "utf-8")
    return str(path)
