// Runs before the page is drawn: says that there is script, so that what needs it
// shows and what replaces it does not.
document.documentElement.classList.add('js');
