/* The memory that only the start needed. */
#ifndef SL_OS_MEMORY_H
#define SL_OS_MEMORY_H

/* For a program that has started and will now stay, mostly idle: lets go of the pages of code and
 * constants that are mapped, which come back one by one as they are used, and gives freed memory
 * back. libcurl brings thirty libraries along, and most of what their constructors touch is never
 * touched again. Not for a guest in another process. Main thread. */
void sl_memory_trim(void);

#endif
