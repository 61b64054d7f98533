"""Builds the playground into static files, for any static host.

    python docs/playground/build.py FOLDER

takes Pyodide from its npm package (`npm ci` in this folder) and grouper's dependencies from the
package index, and builds grouper's own wheel from this checkout.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ("index.html", "playground.css", "playground.js", "playground.py", "worker.js")
PYTHON = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
)
EXAMPLES = (
    ("YOLOv5s, fine-tuning", "examples/yolov5s.pt", "rules/yolo-finetune.rules"),
    ("YOLOv5s, as YOLOv5 trains it", "examples/yolov5s.pt", "rules/yolov5.rules"),
)


def main(folder: Path) -> None:
    (folder / "pyodide").mkdir(parents=True, exist_ok=True)
    for name in PAGE:
        shutil.copyfile(HERE / name, folder / name)
    for name in PYTHON:
        shutil.copyfile(HERE / "node_modules" / "pyodide" / name, folder / "pyodide" / name)
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(wheels), str(ROOT)]
    subprocess.run(pip, check=True)
    names = sorted(f"wheels/{path.name}" for path in wheels.glob("*-none-any.whl"))
    (folder / "wheels.json").write_text(json.dumps(names))
    (folder / "models").mkdir(exist_ok=True)
    examples = []
    for title, model, rules in EXAMPLES:
        target = f"models/{Path(model).name}"
        shutil.copyfile(ROOT / model, folder / target)
        text = (ROOT / rules).read_text("utf-8")
        examples.append({"name": title, "model": target, "rules": text})
    (folder / "examples.json").write_text(json.dumps(examples))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
