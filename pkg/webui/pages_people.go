package webui

import "time"

// ForgottenPage fills page "forgotten".
type ForgottenPage struct {
	Frame
	Mail  bool   // recovery by mail is set up
	Who   string // as typed before
	Wrong string // a sentence, when the last try was refused
	Sent  bool   // a mail is on its way, if there is such an account
}

// NewPasswordPage fills page "new-password".
type NewPasswordPage struct {
	Frame
	Token    string
	Username string
	Wrong    string // a sentence, when the password was refused
	Over     bool   // the link is good no more
	Done     bool
}

// The states of an account.
const (
	UserOpen    = "open"
	UserClosed  = "closed"
	UserErasing = "erasing"
)

// UserRow is an account in the administrator's list.
type UserRow struct {
	ID         string
	Username   string
	Email      string
	Role       string
	State      string // UserOpen, UserClosed or UserErasing
	Photos     int
	Bytes      int64
	CreatedAt  time.Time
	LastSeenAt time.Time
}

// NewUser is an account to be made, as it was typed.
type NewUser struct {
	Username, Email, Role string
	Invite                bool
}

// MadeUser is an account just made.
type MadeUser struct {
	ID, Username, Email string
	Password            string // in full, only in the answer to its making; "" if a mail was sent
	Unsent              bool   // the mail could not be sent
}

// UsersPage fills page "users".
type UsersPage struct {
	Frame
	Search string
	Users  []UserRow
	Next   string // URL of the next page; "" on the last
	First  bool   // this is the first page
	Roles  []string
	Mail   bool // mail can be sent
	New    NewUser
	Wrong  string // a sentence, when the user was refused
	Made   *MadeUser
}

// UserPage fills page "user".
type UserPage struct {
	Frame
	UserRow
	Roles       []string
	Mail        bool
	Self        bool   // it is the account of who is looking
	NewPassword string // in full, only in the answer to its making
	Done, Wrong string // a sentence

	Sources      string // what the account may name in S3, a place a line, or as it was typed
	WrongSources string // a sentence, when that was refused
}
