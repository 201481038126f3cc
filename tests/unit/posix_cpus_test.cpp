// posix::usable_cpus: the parsers, and whole trees of /proc and /sys/fs/cgroup faked in a temporary
// directory.
#include "posix/cpus.hpp"

#include "support/fake_root.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <sched.h>

namespace {

using namespace tandem::posix;

class fake_root : public tandem::test::fake_root {
 public:
  void cgroup(const std::string& text) const { write("/proc/self/cgroup", text); }
  void mountinfo(const std::string& text) const { write("/proc/self/mountinfo", text); }
  std::optional<int> limit() const { return cgroup_cpu_limit(path()); }
};

constexpr char v2_mount[] =
    "35 25 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char v1_mount[] = "35 25 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

TEST(CgroupV2, QuotaOfTheOwnCgroup) {
  const fake_root root;
  root.mountinfo(v2_mount);
  root.cgroup("0::/user.slice/job\n");
  root.write("/sys/fs/cgroup/user.slice/job/cpu.max", "300000 100000\n");
  EXPECT_EQ(root.limit(), 3);
}

TEST(CgroupV2, SmallestOfAllLevelsCounts) {
  const fake_root root;
  root.mountinfo(v2_mount);
  root.cgroup("0::/a/b/c\n");
  root.write("/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
  root.write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  root.write("/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(root.limit(), 2);
}

TEST(CgroupV2, MaxIsNoLimit) {
  const fake_root root;
  root.mountinfo(v2_mount);
  root.cgroup("0::/a\n");
  root.write("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(root.limit(), std::nullopt);
}

TEST(CgroupV2, SiblingsAndOtherMountsDoNotCount) {
  const fake_root root;
  root.mountinfo(std::string("22 1 0:5 / /proc rw - proc proc rw\n") + v2_mount +
                 "36 25 0:30 /ab /mnt/other rw - cgroup2 cgroup2 rw\n");
  root.cgroup("0::/a\n");
  root.write("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  root.write("/sys/fs/cgroup/ab/cpu.max", "100000 100000\n");
  root.write("/mnt/other/cpu.max", "100000 100000\n");
  EXPECT_EQ(root.limit(), 2);
}

TEST(CgroupV2, ContainerWithACgroupNamespaceSeesItselfAtTheTop) {
  const fake_root root;
  root.mountinfo(v2_mount);
  root.cgroup("0::/\n");
  root.write("/sys/fs/cgroup/cpu.max", "250000 100000\n");
  EXPECT_EQ(root.limit(), 3);
}

TEST(CgroupV2, ContainerWithoutACgroupNamespaceMountsItsPart) {
  const fake_root root;
  root.mountinfo("35 25 0:30 /docker/0123 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  root.cgroup("0::/docker/0123/inner\n");
  root.write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
  root.write("/sys/fs/cgroup/inner/cpu.max", "500000 100000\n");
  EXPECT_EQ(root.limit(), 4);
}

TEST(CgroupV2, CgroupOutsideOfTheMountFallsBackToTheMountsTop) {
  const fake_root root;
  root.mountinfo("35 25 0:30 /docker/0123 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  root.write("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  root.cgroup("0::/somewhere/else\n");
  EXPECT_EQ(root.limit(), 2);
  root.cgroup("0::/../outside\n");
  EXPECT_EQ(root.limit(), 2);
}

TEST(CgroupV2, MissingDirectoriesOnTheWayUpAreSkipped) {
  const fake_root root;
  root.mountinfo(v2_mount);
  root.cgroup("0::/not/visible/here\n");
  root.write("/sys/fs/cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(root.limit(), 1);
}

TEST(CgroupV2, EscapedCharactersInTheMountPoint) {
  const fake_root root;
  root.mountinfo("35 25 0:30 / /sys/fs/c\\040group rw - cgroup2 cgroup2 rw\n");
  root.cgroup("0::/a:b\n");
  root.write("/sys/fs/c group/a:b/cpu.max", "100000 100000\n");
  EXPECT_EQ(root.limit(), 1);
}

TEST(CgroupV1, QuotaOfTheOwnCgroup) {
  const fake_root root;
  root.mountinfo(v1_mount);
  root.cgroup("12:memory:/other\n4:cpu,cpuacct:/job\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "150000\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(root.limit(), 3);
}

TEST(CgroupV1, NestedQuotasTakeTheSmallest) {
  const fake_root root;
  root.mountinfo(v1_mount);
  root.cgroup("4:cpu,cpuacct:/a/b\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "200001\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(root.limit(), 3);
}

TEST(CgroupV1, MinusOneIsNoLimit) {
  const fake_root root;
  root.mountinfo(v1_mount);
  root.cgroup("4:cpu,cpuacct:/\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(root.limit(), std::nullopt);
}

TEST(CgroupV1, CpusetAndCpuacctAreNotCpu) {
  const fake_root root;
  root.mountinfo("35 25 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
  root.cgroup("4:cpuset:/\n");
  root.write("/sys/fs/cgroup/cpuset/cpu.cfs_quota_us", "100000\n");
  root.write("/sys/fs/cgroup/cpuset/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(root.limit(), std::nullopt);
}

TEST(CgroupHybrid, BothHierarchiesCount) {
  const fake_root root;
  root.mountinfo(std::string(v1_mount) + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  root.cgroup("4:cpu,cpuacct:/job\n0::/unified-job\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "500000\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(root.limit(), 5);
  root.write("/sys/fs/cgroup/unified/unified-job/cpu.max", "200000 100000\n");
  EXPECT_EQ(root.limit(), 2);
}

TEST(Cgroup, MissingFilesMeanNoLimit) {
  const fake_root root;
  EXPECT_EQ(root.limit(), std::nullopt);
  root.cgroup("0::/a\n");
  EXPECT_EQ(root.limit(), std::nullopt);
  root.mountinfo("");
  EXPECT_EQ(root.limit(), std::nullopt);
}

TEST(Cgroup, NonsenseIsIgnored) {
  const fake_root root;
  root.mountinfo(std::string("\n\nshort\n - \n1 2 3 - cgroup2\n1 2 3 / /x rw - \n") + v2_mount);
  root.cgroup("\n:\n0:\n0::\n0::relative\nnonsense\n0::/a\n");
  root.write("/sys/fs/cgroup/a/cpu.max", "many few\n");
  EXPECT_EQ(root.limit(), std::nullopt);
  root.write("/sys/fs/cgroup/a/cpu.max", "100000 0\n");
  EXPECT_EQ(root.limit(), std::nullopt);
  root.write("/sys/fs/cgroup/a/cpu.max", "");
  EXPECT_EQ(root.limit(), std::nullopt);
  root.write("/sys/fs/cgroup/a/cpu.max", "99999999999999999999999 100000\n");
  EXPECT_EQ(root.limit(), std::nullopt);
}

TEST(Quota, IsRoundedUpAndAtLeastOne) {
  EXPECT_EQ(detail::quota_to_cpus(1, 100'000), 1);
  EXPECT_EQ(detail::quota_to_cpus(100'000, 100'000), 1);
  EXPECT_EQ(detail::quota_to_cpus(100'001, 100'000), 2);
  EXPECT_EQ(detail::quota_to_cpus(0, 100'000), std::nullopt);
  EXPECT_EQ(detail::quota_to_cpus(-1, 100'000), std::nullopt);
  EXPECT_EQ(detail::quota_to_cpus(std::numeric_limits<long long>::max(), 1), std::numeric_limits<int>::max());
  EXPECT_EQ(detail::parse_cpu_max("50000"), 1) << "the period defaults to 100 ms";
}

TEST(UsableCpus, FollowTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(affinity_cpus(), CPU_COUNT(&before));
  EXPECT_GE(usable_cpus(), 1);
  EXPECT_LE(usable_cpus(), affinity_cpus());

  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(affinity_cpus(), 1);
  EXPECT_EQ(usable_cpus(), 1);
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
