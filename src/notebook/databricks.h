// A pipeline as Databricks notebooks, from its own SQL files. Pure: a pipeline in, texts out.
//
//   1_objects.py   what the others begin with (%run): widgets, the lake mounted or read, names, the raw view, preludes
//   2_clean.py     objects to tables: the cleanings, dead letters, repeats; may be run again, and twice at once
//   3_queries.py   checks, then the queries, each a %sql cell
//   4_stream.py    Kinesis to tables by Structured Streaming, the same cleanings, a checkpoint for each record type
//
// The form is Databricks' source format: `# Databricks notebook source`, cells between `# COMMAND ----------`, other
// languages and commands behind `# MAGIC`. No key stands in a text: keys come from dbutils.secrets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/pipeline.h"

namespace pinflow::notebook {

struct Notebook {
  std::string name;  // "1_objects.py"
  std::string text;
};

// `bucket`: what the widget of that name says at first, BUCKET/PREFIX; empty: the word BUCKET, to be filled in.
// unsupported: a pipeline that keeps repeats, which notebooks could not run again without doubling its rows.
Result<std::vector<Notebook>> databricks_notebooks(const pipeline::Pipeline& pipeline, std::string_view bucket);

}  // namespace pinflow::notebook
