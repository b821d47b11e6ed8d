package account_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"maskfleet/pkg/account"
	"maskfleet/pkg/jobstore"
)

func TestRecoveryWorksOnceAndEndsSessions(t *testing.T) {
	t.Parallel()
	a, store := newAccounts(t)
	user, err := a.Create(t.Context(), "gate", "gate@site.example", account.RoleUser, password)
	if err != nil {
		t.Fatal(err)
	}
	session, err := a.StartSession(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	first, err := a.BeginRecovery(t.Context(), "GATE@site.example")
	if err != nil || len(first) != 1 || first[0].User.ID != user.ID {
		t.Fatalf("by e-mail: %+v, %v", first, err)
	}
	second, err := a.BeginRecovery(t.Context(), "gate")
	if err != nil || len(second) != 1 {
		t.Fatalf("by name: %+v, %v", second, err)
	}
	const other = "another good password"
	if _, err := a.Recover(t.Context(), first[0].Token, "short"); !errors.Is(err, account.ErrInvalid) {
		t.Errorf("a short password: %v", err)
	}
	if _, err := a.Recover(t.Context(), first[0].Token, other); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the same": first[0].Token, "the other": second[0].Token, "none": ""} {
		if _, err := a.Recover(t.Context(), token, password); !errors.Is(err, jobstore.ErrNotFound) {
			t.Errorf("%s token afterwards: %v", name, err)
		}
	}
	if _, err := a.Session(t.Context(), session); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("a session from before: %v", err)
	}
	if _, err := a.Verify(t.Context(), "gate", other); err != nil {
		t.Errorf("the new password: %v", err)
	}
	late := sha256.Sum256([]byte("late"))
	err = store.CreatePasswordReset(t.Context(), jobstore.PasswordReset{Hash: late, UserID: user.ID, Purpose: jobstore.ResetRecovery, Lasts: -time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Recover(t.Context(), "late", password); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("a token past its time: %v", err)
	}
}

func TestRecoveryIsForOpenAccountsWithAnAddress(t *testing.T) {
	t.Parallel()
	a, store := newAccounts(t)
	register(t, a, "without")
	closed, err := a.Create(t.Context(), "closed", "closed@site.example", account.RoleUser, password)
	if err != nil {
		t.Fatal(err)
	}
	begun, err := a.BeginRecovery(t.Context(), "closed")
	if err != nil || len(begun) != 1 {
		t.Fatalf("while it is open: %+v, %v", begun, err)
	}
	if err := store.SetUserDisabled(t.Context(), closed.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Recover(t.Context(), begun[0].Token, "another good password"); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("recovering a closed account: %v", err)
	}
	for _, who := range []string{"closed", "closed@site.example", "without", "", "nobody", "nobody@site.example", "%"} {
		if begun, err := a.BeginRecovery(t.Context(), who); err != nil || len(begun) > 0 {
			t.Errorf("%q: %+v, %v", who, begun, err)
		}
	}
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	a, _ := newAccounts(t)
	user, err := a.Create(t.Context(), "new", "new@site.example", account.RoleOperator, "")
	if err != nil || user.Role != account.RoleOperator || user.Admin {
		t.Fatalf("made %+v, %v", user, err)
	}
	token, err := a.Invite(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Recover(t.Context(), token, password); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Verify(t.Context(), "new", password); err != nil {
		t.Error(err)
	}
}

func TestChangePasswordAsksForThePresentOne(t *testing.T) {
	t.Parallel()
	a, _ := newAccounts(t)
	user := register(t, a, "gate")
	const other = "another good password"
	if _, err := a.ChangePassword(t.Context(), user, "wrong", other); !errors.Is(err, account.ErrWrongCredentials) {
		t.Errorf("with a wrong one: %v", err)
	}
	changed, err := a.ChangePassword(t.Context(), user, password, other)
	if err != nil || changed.PasswordHash == user.PasswordHash {
		t.Fatalf("with the right one: %v", err)
	}
	token, err := a.StartSession(t.Context(), changed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Session(t.Context(), token); err != nil {
		t.Errorf("a session from then on: %v", err)
	}
}
