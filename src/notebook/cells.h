// A notebook's text, cell by cell, in Databricks' source format. Pure. Internal to the room.
#pragma once

#include <string>
#include <string_view>

namespace pinflow::notebook {

class Cells {
 public:
  void python(std::string_view code);
  void sql(std::string_view text);       // %sql: $date becomes the parameter :date
  void markdown(std::string_view text);  // %md
  void run(std::string_view notebook);   // %run ./NAME
  std::string text() const;

 private:
  void magic(std::string_view command, std::string_view text);
  void add(std::string cell);

  std::string text_;
};

// A Python literal of the text: r"""…""" over several lines where that can say it, else "…" with escapes.
std::string python_text(std::string_view text);

// $date as :date outside of texts, names and comments.
std::string with_date_parameter(std::string_view sql);

// Without blanks and semicolons at its end.
std::string_view trimmed_sql(std::string_view sql);

}  // namespace pinflow::notebook
