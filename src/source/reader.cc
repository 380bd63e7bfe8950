#include "source/reader.h"

#include <condition_variable>
#include <mutex>

#include "source/database.h"
#include "source/keys.h"

namespace pinflow::source {
namespace {

// A connection with a reader for each table.
struct Connection {
  std::unique_ptr<Database> database;
  std::vector<std::unique_ptr<RowReader>> readers;  // destroyed before the database

  Result<std::vector<std::string>> read(int64_t key) {
    if (auto begun = database->begin_reading(); !begun) return pass(begun.error());
    std::vector<std::string> post(readers.size());
    for (size_t i = 0; i < post.size(); ++i) {
      post[i].reserve(512);
      if (const auto row = readers[i]->append_row(key, post[i]); !row) return pass(row.error());
    }
    database->end_reading();
    return post;
  }
};

Result<std::unique_ptr<Connection>> connect(const SourceUrl& url, const std::vector<Table>& tables) {
  auto connection = std::make_unique<Connection>();
  auto database = Database::open(url, Database::Access::read);
  if (!database) return pass(database.error());
  connection->database = std::move(*database);
  for (const Table& table : tables) {
    auto reader = connection->database->reader(table);
    if (!reader) return pass(reader.error());
    connection->readers.push_back(std::move(*reader));
  }
  return connection;
}

}  // namespace

struct PostReader::State {
  SourceUrl url;
  std::vector<Table> tables;
  KeyRuns keys;

  std::mutex mutex;  // of what follows
  std::condition_variable returned;
  std::vector<std::unique_ptr<Connection>> idle;
  int borrowed = 0;

  Result<std::unique_ptr<Connection>> borrow() {
    std::unique_lock lock(mutex);
    returned.wait(lock, [this] { return borrowed < max_connections; });
    ++borrowed;
    if (!idle.empty()) {
      auto connection = std::move(idle.back());
      idle.pop_back();
      return connection;
    }
    lock.unlock();
    auto connection = connect(url, tables);
    if (!connection) give_back(nullptr);
    return connection;
  }

  // When the server went away, it did so for all.
  void forget_idle() {
    const std::lock_guard lock(mutex);
    idle.clear();
  }

  // A broken connection is given back as null.
  void give_back(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex);
    --borrowed;
    if (connection) idle.push_back(std::move(connection));
    returned.notify_one();
  }
};

PostReader::PostReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
PostReader::~PostReader() = default;

Result<std::unique_ptr<PostReader>> PostReader::open(const SourceUrl& url, const pipeline::Pipeline& pipeline) {
  auto state = std::make_unique<State>();
  state->url = url;
  auto database = Database::open(url, Database::Access::read);
  if (!database) return pass(database.error());
  for (const auto& record : pipeline.records) {
    Table table = source_table(record);
    const auto exists = (*database)->exists(table);
    if (!exists) return pass(exists.error());
    if (!*exists) {
      return not_found(
          "{}: there is no table '{}'; make the tables with `pinflow source generate` or `pinflow source load`",
          url.redacted(), table.name);
    }
    KeyRuns keys;
    if (auto read = (*database)->each_key(table, [&keys](int64_t key) { keys.add(key); }); !read)
      return pass(read.error());
    state->keys = KeyRuns::either(state->keys, keys);
    state->tables.push_back(std::move(table));
  }
  database->reset();
  auto first = connect(url, state->tables);
  if (!first) return pass(first.error());
  state->idle.push_back(std::move(*first));
  return std::unique_ptr<PostReader>(new PostReader(std::move(state)));
}

Result<int64_t> PostReader::count() { return state_->keys.size(); }

Result<std::vector<std::string>> PostReader::post(int64_t n) {
  if (n < 0 || n >= state_->keys.size()) {
    return invalid("there is no post {}; the source has {}", n, state_->keys.size());
  }
  const int64_t key = state_->keys.at(n);
  auto connection = state_->borrow();
  if (!connection) return pass(connection.error());
  auto post = (*connection)->read(key);
  if (!post && post.error().code == Code::unavailable) state_->forget_idle();
  state_->give_back(post ? std::move(*connection) : nullptr);
  if (!post) return pass(post.error(), "post {}", n);
  return post;
}

}  // namespace pinflow::source
