#include "notebook/cells.h"

#include <gtest/gtest.h>

namespace pinflow::notebook {
namespace {

TEST(Cells, AreWrittenInDatabricksSourceForm) {
  Cells cells;
  cells.markdown("# Title\n\nText");
  cells.python("a = 1\n");
  cells.run("1_objects");
  cells.sql("SELECT '$date', $date -- $date\n;\n");
  EXPECT_EQ(cells.text(),
            "# Databricks notebook source\n# MAGIC %md\n# MAGIC # Title\n# MAGIC\n# MAGIC Text\n\n# COMMAND "
            "----------\n\na = 1\n\n"
            "# COMMAND ----------\n\n# MAGIC %run ./1_objects\n\n# COMMAND ----------\n\n# MAGIC %sql\n# MAGIC SELECT "
            "'$date', :date -- $date\n");
}

TEST(Cells, TextsArePythonLiterals) {
  EXPECT_EQ(python_text("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(python_text("a\nb"), "r\"\"\"\na\nb\n\"\"\"");
  EXPECT_EQ(python_text("a\nb\""), R"("a\nb\"")");
  EXPECT_EQ(python_text("\"\"\"\nb"), R"("\"\"\"\nb")");
  EXPECT_EQ(python_text(std::string("\x01\r")), R"("\x01\r")");
}

}  // namespace
}  // namespace pinflow::notebook
