"""Runs Databricks source notebooks cell by cell on a local Spark: %run, %sql and Python; dbutils and display are stand-ins."""
import pathlib
import re
import types

SEPARATOR = "\n# COMMAND ----------\n"


def cells(path):
    """[(language, text)]: python, sql, md or run."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    head, _, body = text.partition("\n")
    assert head == "# Databricks notebook source"
    found = []
    for cell in body.split(SEPARATOR):
        cell = cell.strip("\n")
        if not cell.startswith("# MAGIC %"):
            found.append(("python", cell))
            continue
        lines = [re.sub("^# MAGIC ?", "", line) for line in cell.split("\n")]
        assert all(line.startswith("# MAGIC") for line in cell.split("\n")), cell
        language, _, rest = lines[0][1:].partition(" ")
        found.append((language, "\n".join([rest, *lines[1:]]).strip("\n")))
    return found


def statements(sql):
    """At each ';' outside of texts, names and comments."""
    parts = [""]
    for token in re.findall(r"'(?:[^'\\]|\\.)*'|`[^`]*`|--[^\n]*|/\*.*?\*/|;|.", sql, re.S):
        if token == ";":
            parts.append("")
        else:
            parts[-1] += token
    return [part.strip() for part in parts if re.sub(r"--[^\n]*|/\*.*?\*/|\s", "", part, flags=re.S)]


class Widgets:
    def __init__(self, given):
        self.given, self.values = dict(given), {}

    def text(self, name, default, label=None):
        assert label is None or isinstance(label, str)
        self.values.setdefault(name, self.given.get(name, default))

    def get(self, name):
        return self.values[name]  # as on Databricks, one that no cell has made is an error

    def remove(self, name):
        del self.values[name]
        self.given.pop(name, None)


class Notebook:
    """One session of notebooks: what a job's task has. `secrets` is {(scope, key): value}."""

    def __init__(self, spark, widgets, secrets=None):
        self.spark, self.mounted, self.shown, self.secrets_read = spark, {}, [], []
        mount = lambda source, point: self.mounted.__setitem__(point, source)  # noqa: E731
        mounts = lambda: [types.SimpleNamespace(mountPoint=point) for point in self.mounted]  # noqa: E731
        self.dbutils = types.SimpleNamespace(widgets=Widgets(widgets), fs=types.SimpleNamespace(mount=mount, mounts=mounts),
                                             secrets=types.SimpleNamespace(get=lambda scope, key: self._secret(secrets or {}, scope, key)))
        self.namespace = {"spark": spark, "dbutils": self.dbutils, "display": self.shown.append, "print": lambda *words: self.shown.append(" ".join(map(str, words))), "__name__": "__main__"}

    def _secret(self, secrets, scope, key):
        self.secrets_read.append((scope, key))
        return secrets[scope, key]

    def run(self, path, before_last=None):
        """All cells; the answers of its %sql cells, as frames. `before_last` is called with the namespace ahead of the cells behind the first that is Python."""
        path, answers, python = pathlib.Path(path), [], 0
        for language, text in cells(path):
            if language == "run":
                answers += self.run(path.parent / (text.strip().removeprefix("./") + ".py"))
            elif language == "sql":
                for statement in statements(text):
                    date = {"date": self.dbutils.widgets.get("date")} if re.search(r"(?<![:\w]):date\b", statement) else None
                    answers.append(self.spark.sql(statement, args=date))
            elif language == "python":
                exec(compile(text, f"{path.name}", "exec"), self.namespace)
                python += 1
                if python == 1 and before_last:
                    before_last(self.namespace)
        return answers
