// Posts, read from the source tables: post n is the n-th key in the order of the key, and holds one record of each
// record type. The tables are joined by the key's value, never by the position of a row, as any of them may have gaps.
//
// Thread-safe: any number of threads may call post() at once; each call borrows one of at most max_connections
// connections, and waits when all are in use. In memory are only the runs of successive keys (16 bytes a run: one run
// for tables without gaps), never rows. Keys are read once, at open: rows added later are not seen.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/pipeline.h"
#include "source/url.h"

namespace pinflow::source {

class PostReader {
 public:
  static constexpr int max_connections = 16;

  // not_found where the file or a table is missing; unavailable where the server does not answer; denied where it
  // refuses the user.
  static Result<std::unique_ptr<PostReader>> open(const SourceUrl& url, const pipeline::Pipeline& pipeline);
  ~PostReader();

  // How many posts there are: the keys that at least one of the tables has.
  Result<int64_t> count();

  // One JSON object for each record type, in the pipeline's order, with the columns of the table in the table's order;
  // an empty string where that table lacks the row. `n` is 0 to count() - 1, else invalid. unavailable may pass:
  // the next call connects again.
  //   {"ind":7528,"timestamp":"2020-08-28 03:52:47","latitude":-89.9787,"longitude":-173.293,"country":"Albania"}
  Result<std::vector<std::string>> post(int64_t n);

 private:
  struct State;
  explicit PostReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::source
