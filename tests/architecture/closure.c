/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked with the whole archive of one layer and only the layers that it named: an undefined
 * reference here is a dependency that the floor table does not allow.
 */
int main(void)
{
    return 0;
}
