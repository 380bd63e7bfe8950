#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

namespace pinflow {
namespace {
namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  Files() {
    std::string name = fs::temp_directory_path() / "files-XXXXXX";
    dir = mkdtemp(name.data());
  }
  ~Files() override { fs::remove_all(dir); }
  size_t entries() const { return static_cast<size_t>(std::distance(fs::directory_iterator(dir), {})); }

  fs::path dir;
};

TEST_F(Files, ReplaceAndRead) {
  const std::string large(300'000, 'x');
  ASSERT_TRUE(replace_file(dir / "a", "one"));
  ASSERT_TRUE(replace_file(dir / "a", large));
  EXPECT_EQ(read_file(dir / "a").value(), large);
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, ReadingWhatIsNotThereIsNotFoundAndNamesIt) {
  const auto read = read_file(dir / "absent");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::not_found);
  EXPECT_NE(read.error().message.find("absent"), std::string::npos);
}

TEST_F(Files, CreateTakesANameOnce) {
  ASSERT_TRUE(create_file(dir / "a", "one"));
  const auto again = create_file(dir / "a", "two");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::already_exists);
  EXPECT_EQ(read_file(dir / "a").value(), "one");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, OfManyCreatorsOneWins) {
  std::atomic<int> won{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (create_file(dir / "a", std::to_string(i))) ++won;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, LinkConsumesTheFinishedFileAlsoWhenItLoses) {
  for (const auto& [content, wins] : {std::pair{"one", true}, std::pair{"two", false}}) {
    ASSERT_TRUE(replace_file(dir / "finished", content));
    EXPECT_EQ(link_file(dir / "finished", dir / "a").has_value(), wins);
    EXPECT_FALSE(fs::exists(dir / "finished"));
  }
  EXPECT_EQ(read_file(dir / "a").value(), "one");
}

TEST_F(Files, MakesFoldersAtAnyDepthAndTwice) {
  ASSERT_TRUE(make_folders(dir / "a/b/c"));
  ASSERT_TRUE(make_folders(dir / "a/b/c"));
  ASSERT_TRUE(replace_file(dir / "f", ""));
  EXPECT_FALSE(make_folders(dir / "f/below"));
}

TEST_F(Files, AFolderHasOneHolder) {
  {
    const auto first = FolderLock::take(dir / "locked");
    ASSERT_TRUE(first);
    const auto second = FolderLock::take(dir / "locked");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::conflict);
  }
  EXPECT_TRUE(FolderLock::take(dir / "locked"));
}

TEST_F(Files, AKilledHolderGivesTheFolderBack) {
  const pid_t child = fork();
  if (child == 0) {
    const auto held = FolderLock::take(dir);
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(FolderLock::take(dir));
}

}  // namespace
}  // namespace pinflow
