#include "source/database.h"

namespace pinflow::source {

Table source_table(const pipeline::RecordType& record) {
  return {record.source_table, record.source_key, record.source_columns};
}

std::string sql_name(std::string_view name) {
  std::string text = "`";
  for (const char c : name) {
    if (c == '`') text += '`';
    text += c;
  }
  return text + "`";
}

Result<std::unique_ptr<Database>> Database::open(const SourceUrl& url, Access access) {
  switch (url.kind) {
    case SourceUrl::Kind::sqlite: return open_sqlite(url, access);
    case SourceUrl::Kind::mysql: return open_mysql(url, access);
  }
  std::abort();
}

}  // namespace pinflow::source
