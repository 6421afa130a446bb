/* Directories of their own for unit tests, below /tmp: set-up and tear-down for cmocka. One a
 * process. Main thread only. */
#ifndef VB_TESTS_PLACE_H
#define VB_TESTS_PLACE_H

/* What a dataset of the test is named by, in the directory; its two files. */
extern char place_base[64], place_schema[80], place_data[80];

/* Makes the directory. */
int place_make(void **state);
/* Removes the dataset and the directory; fails when there is another file in it. */
int place_remove(void **state);

/* Makes the directory and goes there; leaves it and removes it with all that is in it. */
int place_enter(void **state);
int place_leave(void **state);

#endif
