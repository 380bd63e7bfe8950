"""./dev bench [NAME [ARGS]]: runs bench/NAME.py, which prints a table and one JSON object; without a name, lists them."""
import ast
import pathlib
import runpy
import sys

HERE = pathlib.Path(__file__).parent


def benches():
    for path in sorted(HERE.glob("*.py")):
        if path.stem not in ("main", "measure", "batch_objects"):
            yield path, (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()[0]


def main():
    known = {path.stem: path for path, _ in benches()}
    if len(sys.argv) < 2:
        for path, what in benches():
            print(f"  {path.stem:<10} {what}")
        return 0
    if sys.argv[1] not in known:
        print(f"no bench {sys.argv[1]!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    sys.argv = sys.argv[1:]
    sys.path.insert(0, str(HERE))
    runpy.run_path(str(known[sys.argv[0]]), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
