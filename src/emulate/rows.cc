#include "emulate/rows.h"

#include "source/reader.h"

namespace pinflow::emulate {
namespace {

class SourceRows final : public RowSource {
 public:
  explicit SourceRows(source::PostReader& reader) : reader_(reader) {}
  Result<int64_t> count() override { return reader_.count(); }
  Result<std::vector<std::string>> post(int64_t n) override { return reader_.post(n); }

 private:
  source::PostReader& reader_;
};

}  // namespace

std::unique_ptr<RowSource> rows_of(source::PostReader& reader) { return std::make_unique<SourceRows>(reader); }

}  // namespace pinflow::emulate
