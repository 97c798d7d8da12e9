/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_NAMES_H
#define LAM_RUNTIME_NAMES_H

/*
 * names.h: what may be the name of a module or of a method. Names stand in lines of a log, on
 * terminals, and in the place of a reference, where one with a slash is a path.
 */

/* What is wrong with it, as the end of a sentence about it ("has to be of 1 to 63 bytes"), or
 * NULL: it is a name. Only a method's may have slashes. */
const char *lam_module_name_fault(const char *name);
const char *lam_method_name_fault(const char *name);

#endif
