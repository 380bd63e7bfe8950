// The rules, each over one file's tokens and structure. Internal to the room; check.h is its face.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "pipeline/pipeline.h"
#include "portable/check.h"
#include "portable/code.h"

namespace pinflow::portable {

// A SQL file under judgement, and what its names may be.
struct Judged {
  const pipeline::Sql& sql;
  Code code;
  bool cleaning = false;
  std::set<std::string> texts;                  // columns (a cleaning's: fields) that are text; lower case
  std::set<std::string> doubles;                // …, and columns of type double
  std::set<std::string> times;                  // …, and columns of type timestamp
  std::map<std::string, std::string> names;     // columns in lower case → as they are declared
  std::map<std::string, std::set<size_t>> own;  // the preludes' functions → numbers of parameters
};

class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}
  void add(const Token& at, std::string rule, std::string what, std::string instead) {
    found_.push_back({file_, at.line, at.column, std::move(rule), std::move(what), std::move(instead)});
  }
  std::vector<Finding> sorted();  // by place; of one place and rule one

 private:
  std::string file_;
  std::vector<Finding> found_;
};

void judge_spelling(const Judged& judged, Findings& findings);   // spelling.cc: texts, names, numbers, operators
void judge_functions(const Judged& judged, Findings& findings);  // functions.cc: which there are, and their arguments
void judge_patterns(const Judged& judged, Findings& findings);   // patterns.cc: regular expressions
void judge_casts(const Judged& judged, Findings& findings);      // casts.cc: foreign text, types
void judge_clauses(const Judged& judged, Findings& findings);    // clauses.cc: ORDER BY, SELECT lists, joins
void judge_answers(const Judged& judged, Findings& findings);    // answers.cc: one SELECT, names, rows, comparisons
void judge_cleaning(const Judged& judged, Findings& findings);   // cleaning.cc: row-local

// A comparison regexp_extract(x, '^…$', 0) = x, also with NULLIF(x, '') or the sides exchanged: x lets through only
// what the pattern matches from end to end. `subject` is x, `pattern` the pattern's token.
struct Guard {
  Range subject;
  size_t pattern = 0;
};
std::vector<Guard> guards_of(const Code& code, Range condition);  // those that all of AND must hold; names are followed

// What a value may be, as far as text and structure tell; bits.
inline constexpr unsigned kText = 1, kFraction = 2, kDouble = 4, kOther = 8;
unsigned kinds_of(const Judged& judged, Range expression);
// The names in an expression that may be text.
std::vector<size_t> texts_in(const Judged& judged, Range expression);

// The functions that both engines have and that were seen to answer the same.
bool is_common_function(std::string_view lower);

}  // namespace pinflow::portable
