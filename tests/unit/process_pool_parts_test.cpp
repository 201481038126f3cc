// The small parts of the process pool that decide by the clock: no process is started.
#include "process_pool/execution.hpp"
#include "process_pool/recruitment.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

namespace {

using namespace std::chrono_literals;
using tandem::process::execution;
using tandem::process::recruitment;

const tandem::detail::time_point t0{1h};

TEST(Recruitment, CountsARoundOnceHoweverManyOfItFail) {
  recruitment r;
  const auto round = r.round();
  for (int i = 0; i < 100; ++i) {
    r.refused(round, t0);
    r.died_early(round, t0);
  }
  EXPECT_FALSE(r.none_can_be_started());
  EXPECT_FALSE(r.none_survives());
  EXPECT_TRUE(r.must_wait(t0));
  EXPECT_FALSE(r.must_wait(t0 + 1s));
}

TEST(Recruitment, PausesLongerFromRoundToRound) {
  recruitment r;
  auto pause = 0ns;
  for (int i = 0; i < 5; ++i) {
    r.refused(r.round(), t0);
    EXPECT_GT(*r.not_before() - t0, pause);
    pause = *r.not_before() - t0;
  }
  EXPECT_LE(pause, 1s);
}

TEST(Recruitment, KeepsRefusalsAndEarlyDeathsApart) {
  recruitment r;
  for (int i = 0; i < 7; ++i) r.refused(r.round(), t0);
  r.died_early(r.round(), t0);
  EXPECT_FALSE(r.none_survives());
  EXPECT_FALSE(r.none_can_be_started());
  r.refused(r.round(), t0);
  EXPECT_TRUE(r.none_can_be_started());
}

TEST(Recruitment, ForgetsFailuresWhenAWorkerServes) {
  recruitment r;
  for (int i = 0; i < 8; ++i) r.died_early(r.round(), t0);
  EXPECT_TRUE(r.none_survives());
  r.succeeded();
  EXPECT_FALSE(r.none_survives());
  EXPECT_FALSE(r.must_wait(t0));
}

TEST(Execution, SendsTermAndAfterTheGraceKillAndThenNothing) {
  execution e;
  EXPECT_EQ(e.due(t0), 0);
  EXPECT_FALSE(e.next());
  e.decide();
  EXPECT_EQ(e.due(t0), SIGTERM);
  e.sent(t0);
  EXPECT_EQ(e.due(t0), 0);
  ASSERT_TRUE(e.next());
  EXPECT_EQ(e.due(*e.next()), SIGKILL);
  e.sent(*e.next());
  EXPECT_EQ(e.due(t0 + 1h), 0);
  EXPECT_FALSE(e.next());
  EXPECT_TRUE(e.decided());
}

TEST(Execution, TriesAgainWhatCouldNotBeSent) {
  execution e;
  e.decide();
  e.postponed(t0);
  EXPECT_EQ(e.due(t0), 0);
  ASSERT_TRUE(e.next());
  EXPECT_EQ(e.due(*e.next()), SIGTERM);
}

}  // namespace
