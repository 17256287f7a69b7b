// The newest state this version knows. Apart from the migrations, so that opening a current warehouse loads none of them.
export const stateVersion = 1
