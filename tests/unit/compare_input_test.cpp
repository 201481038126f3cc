// What the workloads are made of: counting the words of files, and pages from a real server.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <string>

#include "page_server.hpp"
#include "word_count.hpp"

namespace {

namespace fs = std::filesystem;
using counts = std::map<std::string, long>;

class CompareWords : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = fs::path(testing::TempDir()) / (std::string("compare_words_") + test->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string file(const std::string& name, const std::string& text) const {
    const fs::path path = directory_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  static counts count(const compare::file_batch& batch) {
    const compare::word_tally tally = compare::count_words(batch);
    return {tally.counts.begin(), tally.counts.end()};
  }

  fs::path directory_;
};

TEST_F(CompareWords, AreRunsOfLettersDigitsAndUnderscoresInLowerCase) {
  const auto path = file("a.txt", "The cat, the_cat; THE cat's 42nd\n\nb\xC3\xA4r");
  EXPECT_EQ(count({path}),
            (counts{{"the", 2}, {"cat", 2}, {"the_cat", 1}, {"s", 1}, {"42nd", 1}, {"b\xC3\xA4r", 1}}));
}

TEST_F(CompareWords, OfSeveralFilesAreAddedUp) {
  EXPECT_EQ(count({file("a", "one two"), file("b", "two")}), (counts{{"one", 1}, {"two", 2}}));
}

TEST_F(CompareWords, EndWithTheirFile) {
  EXPECT_EQ(count({file("a", "half"), file("b", "way")}), (counts{{"half", 1}, {"way", 1}}));
}

TEST_F(CompareWords, SpanningTwoBlocksAreWhole) {
  // Blocks are 256 KiB; "boundary" begins three bytes before the end of the first one.
  const std::string filler((std::size_t{256} << 10) - 3, ' ');
  EXPECT_EQ(count({file("a", filler + "boundary end")}), (counts{{"boundary", 1}, {"end", 1}}));
}

TEST_F(CompareWords, EndAtTheTwoHundredthByte) {
  EXPECT_EQ(count({file("a", std::string(450, 'x'))}),
            (counts{{std::string(200, 'x'), 2}, {std::string(50, 'x'), 1}}));
}

TEST_F(CompareWords, OfBinaryAndMissingFilesAreSkippedAndCounted) {
  const auto binary = file("a", std::string("text\0more", 9));
  const auto tally = compare::count_words({binary, directory_ / "gone", file("b", "word")});
  EXPECT_EQ(tally.skipped.binary, 1);
  EXPECT_EQ(tally.skipped.unreadable, 1);
  EXPECT_EQ(tally.counts.size(), 1U);
}

TEST_F(CompareWords, PlanFindsEveryRegularFileOnce) {
  file("z.txt", "zz");
  file("sub/deep/a.txt", "aaaa");
  file("sub/b.txt", "bbb");
  fs::create_symlink(directory_ / "z.txt", directory_ / "link.txt");
  fs::create_directory_symlink(directory_, directory_ / "sub" / "loop");
  const auto plan = compare::plan_files(directory_, 1000, 1000);
  EXPECT_EQ(plan.files, 3);
  EXPECT_EQ(plan.bytes, 9U);
  ASSERT_EQ(plan.batches.size(), 1U);
  EXPECT_EQ(plan.batches[0].size(), 3U);
}

TEST_F(CompareWords, PlanPutsLargeBatchesFirstAndStopsAtTheLimit) {
  file("a", std::string(10, 'a'));
  file("b", std::string(30, 'b'));
  file("c", std::string(20, 'c'));
  file("d", "never reached");
  const auto plan = compare::plan_files(directory_, 60, 1);
  EXPECT_EQ(plan.files, 3);
  ASSERT_EQ(plan.batches.size(), 3U);
  EXPECT_TRUE(plan.batches[0][0].ends_with("/b"));
  EXPECT_TRUE(plan.batches[2][0].ends_with("/a"));
}

TEST(ComparePages, AreServedAsTheyAre) {
  const compare::page_server server(std::chrono::microseconds(0));
  EXPECT_EQ(compare::fetch_page(server.port(), 0), compare::page_text(0));
  EXPECT_EQ(compare::fetch_page(server.port(), 7), compare::page_text(7));
  EXPECT_NE(compare::page_text(0), compare::page_text(7));
}

TEST(ComparePages, TakeTheirLatency) {
  const compare::page_server server(std::chrono::milliseconds(30));
  const auto before = std::chrono::steady_clock::now();
  (void)compare::fetch_page(server.port(), 1);
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(30));
}

TEST(ComparePages, AreServedSideBySide) {
  // One after the other, eight pages would take 4 s at least.
  const compare::page_server server(std::chrono::milliseconds(500));
  const auto before = std::chrono::steady_clock::now();
  std::vector<std::future<std::string>> pages;
  for (int n = 0; n < 8; ++n)
    pages.push_back(std::async(std::launch::async, compare::fetch_page, server.port(), n));
  for (int n = 0; n < 8; ++n) EXPECT_EQ(pages[static_cast<std::size_t>(n)].get(), compare::page_text(n));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(3500));
}

TEST(ComparePages, ThatDoNotExistAreErrors) {
  const compare::page_server server(std::chrono::microseconds(0));
  try {
    (void)compare::fetch_page(server.port(), -1);
    FAIL() << "page -1 was served";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "page -1: the server answered 404");
  }
}

TEST(ComparePages, ServerStopsWithConnectionsOpen) {
  std::future<std::string> page;
  {
    const compare::page_server server(std::chrono::seconds(60));
    page = std::async(std::launch::async, compare::fetch_page, server.port(), 1);
    // Not before the connection is there: a server that is gone refuses it, which is another story.
    while (server.cpu_seconds() == 0) std::this_thread::yield();
  }
  EXPECT_ANY_THROW(page.get());
}

}  // namespace
