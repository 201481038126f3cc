// preload(): what workers find when they are born. The scenes are in preload_program.cpp.
#include "faults/programs.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string show(const std::string& what) { return tandem::test::run(TANDEM_PRELOAD_PROGRAM " " + what); }

TEST(Preload, RunsOnceInTheForkServerForAllWorkers) {
  EXPECT_EQ(show("fork_server"), "loaded 12, loaded 12, 1 calls, here ''\n");
}

TEST(Preload, RunsOnceInAForkedServer) {
  EXPECT_EQ(show("fork"), "loaded 12, loaded 12, 1 calls, here ''\n");
}

TEST(Preload, RunsInEachSpawnedWorker) {
  EXPECT_EQ(show("spawn"), "loaded 12, loaded 12, 2 calls, here ''\n");
}

TEST(Preload, RunsAgainInAServerThatReplacesAKilledOne) {
  EXPECT_EQ(show("replaced_server"), "loaded 1, loaded 1, 2 calls\n");
}

TEST(Preload, ThatThrowsFailsTheConstructor) {
  const std::string text = show("throws");
  EXPECT_EQ(text.find("start_error: tandem: process_pool: a function that preload() was given has failed"),
            0U)
      << text;
  EXPECT_NE(text.find("no such table"), std::string::npos) << text;
}

TEST(Preload, MayThrowALongText) {
  const std::string text = show("throws_at_length");
  EXPECT_EQ(text.find("start_error: "), 0U) << text;
  EXPECT_NE(text.find("no such table: xxx"), std::string::npos) << text;
}

TEST(Preload, MayLeaveAProcessThatHoldsTheServersSocket) {
  EXPECT_EQ(show("silent_end"), "another server\n");
}

TEST(Preload, MayIgnoreSigchld) { EXPECT_EQ(show("exit_code"), "exit code 9\n"); }

TEST(Preload, ThatCrashesFailsTheConstructor) {
  const std::string text = show("crashes");
  EXPECT_NE(text.find("has crashed or ended it"), std::string::npos) << text;
}

TEST(Preload, MustNotLeaveThreads) {
  const std::string text = show("threads");
  EXPECT_NE(text.find("it has left 1 threads running"), std::string::npos) << text;
}

TEST(Preload, ThatThrowsInASpawnedWorkerBreaksThePool) {
  const std::string text = show("throws_in_spawn");
  EXPECT_NE(text.find("broken_pool_error: "), std::string::npos) << text;
  EXPECT_NE(text.find("no such table"), std::string::npos) << text;
}

TEST(Preload, RefusesAnEmptyHook) {
  EXPECT_NE(show("empty").find("invalid_argument: tandem: preload: there is no function"), std::string::npos);
}

TEST(Preload, IsNotKnownToPoolsMadeInTasks) { EXPECT_EQ(show("nested"), "0 bytes\n"); }

TEST(Preload, OutputIsWrittenOnce) { EXPECT_EQ(show("output"), "written once, "); }

}  // namespace
