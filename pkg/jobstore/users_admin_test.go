package jobstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

func createUser(t *testing.T, store *jobstore.Store, name, role string) uuid.UUID {
	t.Helper()
	u := jobstore.User{ID: newID(t), Username: name, PasswordHash: "x", Email: name + "@site.example", Role: role, CreatedAt: someTime()}
	if err := store.CreateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return u.ID
}

func TestAnAdministratorStays(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	first := createUser(t, store, "first", "administrator")
	for name, err := range map[string]error{
		"SetUserRole":     store.SetUserRole(t.Context(), first, "user"),
		"SetUserDisabled": store.SetUserDisabled(t.Context(), first, true),
		"DeleteUser":      store.DeleteUser(t.Context(), first),
	} {
		if !errors.Is(err, jobstore.ErrLastAdministrator) {
			t.Errorf("%s of the last one: %v", name, err)
		}
	}
	second := createUser(t, store, "second", "user")
	if err := store.SetUserRole(t.Context(), second, "administrator"); err != nil {
		t.Fatal(err)
	}
	if err := store.SetUserDisabled(t.Context(), first, true); err != nil {
		t.Errorf("closing one of two: %v", err)
	}
	if err := store.DeleteUser(t.Context(), second); !errors.Is(err, jobstore.ErrLastAdministrator) {
		t.Errorf("deleting the open one of two: %v", err)
	}
}

func TestUsersAreListedWithWhatTheyKeep(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ann := createUser(t, store, "ann", "user")
	createUser(t, store, "bob_100%", "user")
	photo := uploaded(t, store)
	photo.OwnerID = ann
	photo.Bytes = 12345
	if err := store.Accept(t.Context(), photo); err != nil {
		t.Fatal(err)
	}
	if err := store.TouchUser(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	page, err := store.ListUsers(t.Context(), jobstore.UserFilter{Search: "@site.example", Limit: 10})
	if err != nil || len(page) != 2 || page[0].ID != ann || page[0].Photos != 1 || page[0].Bytes != 12345 || time.Since(page[0].LastSeenAt) > time.Hour {
		t.Errorf("got %+v, %v", page, err)
	}
	for search, want := range map[string]int{"AN": 1, "@site": 2, "100%": 1, "_1": 1, "%": 1, "q": 0, `\`: 0} {
		if found, err := store.ListUsers(t.Context(), jobstore.UserFilter{Search: search, Limit: 10}); err != nil || len(found) != want {
			t.Errorf("searching %q finds %d, %v, want %d", search, len(found), err, want)
		}
	}
	if rest, err := store.ListUsers(t.Context(), jobstore.UserFilter{Search: "@site", After: "ann", Limit: 10}); err != nil || len(rest) != 1 {
		t.Errorf("after ann: %+v, %v", rest, err)
	}
}

func TestAUserGoesAfterTheirPhotos(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ann := createUser(t, store, "ann", "user")
	photo := uploaded(t, store)
	photo.OwnerID = ann
	if err := store.Accept(t.Context(), photo); err != nil {
		t.Fatal(err)
	}
	if removed, err := store.RemoveUser(t.Context(), ann); err != nil || removed {
		t.Errorf("removing an account that nobody deleted: %v, %v", removed, err)
	}
	if err := store.DeleteUser(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	if u, err := store.FindUser(t.Context(), ann); err != nil || !u.Disabled {
		t.Errorf("the deleted account: %+v, %v", u, err)
	}
	if ids, err := store.UsersToRemove(t.Context(), 10); err != nil || len(ids) != 1 || ids[0] != ann {
		t.Errorf("to remove: %v, %v", ids, err)
	}
	if removed, err := store.RemoveUser(t.Context(), ann); err != nil || removed {
		t.Errorf("removing it before its photo: %v, %v", removed, err)
	}
	if _, err := store.Delete(t.Context(), photo.ID); err != nil {
		t.Fatal(err)
	}
	if removed, err := store.Remove(t.Context(), photo.ID); err != nil || !removed {
		t.Fatalf("removing the photo: %v, %v", removed, err)
	}
	if removed, err := store.RemoveUser(t.Context(), ann); err != nil || !removed {
		t.Errorf("removing it after its photo: %v, %v", removed, err)
	}
}
