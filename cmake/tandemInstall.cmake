# What `cmake --install` puts where: library, headers, tandem::gtest_main, the CMake package and the pkg-config file.
include(CMakePackageConfigHelpers)

set(tandem_cmake_directory ${CMAKE_INSTALL_LIBDIR}/cmake/tandem)
set(targets tandem)
if(TARGET tandem_gtest_main)
  list(APPEND targets tandem_gtest_main)
endif()

install(
  TARGETS ${targets}
  EXPORT tandemTargets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(
  EXPORT tandemTargets
  NAMESPACE tandem::
  DESTINATION ${tandem_cmake_directory})

configure_package_config_file(cmake/tandemConfig.cmake.in tandemConfig.cmake
                              INSTALL_DESTINATION ${tandem_cmake_directory})
# Before 1.0 every minor version may change names and the ABI.
write_basic_package_version_file(tandemConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tandemConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/tandemConfigVersion.cmake
        DESTINATION ${tandem_cmake_directory})

# The prefix is written relative to the file, so that an installed tree can be moved.
cmake_path(SET pkgconfig_directory ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(ABSOLUTE_PATH pkgconfig_directory BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE absolute)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${absolute} OUTPUT_VARIABLE tandem_pc_to_prefix)
configure_file(cmake/tandem.pc.in tandem.pc.generate @ONLY)
file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/tandem.pc INPUT ${CMAKE_CURRENT_BINARY_DIR}/tandem.pc.generate)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tandem.pc DESTINATION ${pkgconfig_directory})

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/tandem)
