#include "object/directory_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>

#include "base/files.h"

namespace pinflow::object {
namespace {

namespace fs = std::filesystem;

class DirectoryStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "pinflow-directory-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }

  std::unique_ptr<Store> open() {
    auto opened = open_directory(root_);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  // Runs in a child process; its exit status is 0 where all went well.
  template <class Work>
  static pid_t child(Work work) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      work();
      ::_exit(0);
    }
    return pid;
  }
  size_t staging_folders() const {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(root_ / ".staging")) count += entry.is_directory();
    return count;
  }

  fs::path root_;
};

TEST_F(DirectoryStoreTest, AnObjectIsAFileOfItsName) {
  auto store = open();
  ASSERT_TRUE(store->put_if_absent("topics/t/partition=0/t+0+0000000000.json", "{}\n"));
  EXPECT_EQ(read_file(root_ / "topics/t/partition=0/t+0+0000000000.json").value(), "{}\n");
  EXPECT_EQ(store->url(), root_.string());
  EXPECT_EQ(store->fetch("topics/t/partition=0/t+0+0000000000.json")->path(),
            root_ / "topics/t/partition=0/t+0+0000000000.json");
}

TEST_F(DirectoryStoreTest, KeepsWhatAnEarlierStoreMade) {
  ASSERT_TRUE(open()->put_if_absent("a/b", "x"));
  auto store = open();
  EXPECT_EQ(store->get("a/b").value(), "x");
  EXPECT_EQ(store->put_if_absent("a/b", "y").error().code, Code::already_exists);
  EXPECT_EQ(store->list("")->size(), 1u);
}

TEST_F(DirectoryStoreTest, WorksOnWhenAFolderWasRemoved) {
  auto store = open();
  ASSERT_TRUE(store->put_if_absent("a/b/1", "x"));
  fs::remove_all(root_ / "a");
  EXPECT_TRUE(store->put_if_absent("a/b/1", "y"));
  EXPECT_EQ(store->get("a/b/1").value(), "y");
}

TEST_F(DirectoryStoreTest, CleansUpAfterTheDeadAndNotAfterTheLiving) {
  auto living = open();
  std::ofstream(living->staging() / "unfinished") << "x";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t dying = child([&] {
    auto opened = open_directory(root_);
    std::ofstream((*opened)->staging() / "left over") << "x";
    (void)!::write(ready[1], "x", 1);
    ::pause();
  });
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(staging_folders(), 2u);
  ::kill(dying, SIGKILL);
  ::waitpid(dying, nullptr, 0);
  EXPECT_EQ(staging_folders(), 2u);
  auto store = open();
  EXPECT_EQ(staging_folders(), 2u);  // the living one's and the new one's
  EXPECT_TRUE(fs::exists(living->staging() / "unfinished"));
  store.reset();
  living.reset();
  EXPECT_EQ(staging_folders(), 0u);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(DirectoryStoreTest, SaysWhatIsWrongWithAFolder) {
  std::ofstream(root_ / "file") << "x";
  auto opened = open_directory(root_ / "file" / "lake");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("file"), std::string::npos);
  EXPECT_FALSE(open_directory(""));
}

TEST_F(DirectoryStoreTest, AFullDiskIsFullAndLeavesNothing) {
  const pid_t pid = child([&] {
    auto store = open_directory(root_);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};  // stands for the disk: larger files fail with EFBIG
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string large(5000, 'x');
    const auto made = (*store)->put_all_if_absent({{"a/1", "small"}, {"a/2", large}, {"a/3", "small"}});
    const bool good = made.count == 1 && !made.rest && made.rest.error().code == Code::full &&
                      (*store)->put("a/4", large).error().code == Code::full;
    if (!good) ::_exit(1);
  });
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  auto store = open();
  EXPECT_EQ(store->list("")->size(), 1u);
  EXPECT_TRUE(store->put_if_absent("a/2", "now there is room"));
}

// Children put objects until they are killed: whatever stands there then is whole.
TEST_F(DirectoryStoreTest, AfterKillNineAnObjectIsWholeOrAbsent) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto content = [](int i) {
    return std::string(static_cast<size_t>(i) * 997 % 200'000, 'a') + "end" + std::to_string(i);
  };
  size_t made = 0;
  for (int round = 0; round < 25; ++round) {
    const std::string prefix = "round" + std::to_string(round) + "/";
    int at_work[2];
    ASSERT_EQ(::pipe(at_work), 0);
    const pid_t pid = child([&] {
      auto store = open_directory(root_);
      if (!store) ::_exit(1);
      for (int i = 0;; i += 4) {
        std::vector<std::string> names;
        std::vector<std::string> bytes;
        for (int k = i; k < i + 3; ++k) {
          names.push_back(prefix + std::to_string(k % 3) + "/" + std::to_string(k));
          bytes.push_back(content(k));
        }
        (*store)->put_all_if_absent({{names[0], bytes[0]}, {names[1], bytes[1]}, {names[2], bytes[2]}});
        const fs::path file = (*store)->staging() / "file";
        std::ofstream(file) << content(i + 3);
        (void)(*store)->put_file_if_absent(prefix + "f/" + std::to_string(i + 3), file);
        (void)(*store)->put(prefix + "p/0", content(i));
        if (i == 0) (void)!::write(at_work[1], "x", 1);
      }
    });
    char byte;
    ASSERT_EQ(::read(at_work[0], &byte, 1), 1);
    ::close(at_work[0]);
    ::close(at_work[1]);
    ::usleep(random() % 20'000);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    auto store = open();
    auto found = store->list(prefix);
    ASSERT_TRUE(found);
    for (const ObjectInfo& info : *found) {
      const std::string bytes = store->get(info.name).value();
      if (info.name.contains("/p/")) {
        ASSERT_EQ(bytes, content(std::stoi(bytes.substr(bytes.find("end") + 3)))) << info.name;
      } else {
        ASSERT_EQ(bytes, content(std::stoi(info.name.substr(info.name.rfind('/') + 1)))) << info.name;
      }
      ++made;
    }
    ASSERT_EQ(staging_folders(), 1u);
    for (const auto& entry : fs::recursive_directory_iterator(root_))
      ASSERT_TRUE(!entry.is_regular_file() || entry.path().filename() == ".lock" ||
                  !entry.path().string().contains("/."))
          << entry.path();
  }
  EXPECT_GT(made, 0u);
}

}  // namespace
}  // namespace pinflow::object
